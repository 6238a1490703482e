/** The largest bundle that is read, in bytes. */
export const MAX_BUNDLE_BYTES = 64 * 1024

/** How many CA keys one bundle may hold. */
export const MAX_KEYS = 16
