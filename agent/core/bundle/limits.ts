/** The largest bundle that is read, in bytes. */
export const MAX_BUNDLE_BYTES = 64 * 1024

/** How many CA keys one bundle may hold. */
export const MAX_KEYS = 16

/** How many CA keys one bundle may revoke: far more than any publisher has ever had. */
export const MAX_REVOKED_KEYS = 64
