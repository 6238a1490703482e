/** The host does not let itself be set up. */
export class SetupError extends Error {
  override name = 'SetupError'
}
