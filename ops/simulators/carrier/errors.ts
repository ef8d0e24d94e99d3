/** A request that is answered with an error and leaves no effect behind. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const badRequest = (message: string, code = 'invalid_request'): ApiError =>
  new ApiError(400, code, message);

export const errorBody = ({ code, message }: { readonly code: string; readonly message: string }) => ({
  error: { code, message },
});
