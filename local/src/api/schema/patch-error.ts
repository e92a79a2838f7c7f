/** A patch that cannot be used. `code` is the HTTP status: 400 for a malformed one, 422 for one that does not fit the object. */
export class PatchError extends Error {
  readonly code: 400 | 422;
  constructor(code: 400 | 422, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
