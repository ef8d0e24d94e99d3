import pino from 'pino';

export type Log = pino.Logger;

/** JSON lines on standard output. Fields that could hold a secret or a person's data are cut out by name. */
export const createLog = (name: string, level: string): Log =>
  pino({
    name,
    level,
    redact: {
      paths: [
        'authorization',
        'password',
        'token',
        'refreshToken',
        'accessToken',
        'email',
        'address',
        'shippingAddress',
      ].flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[cut]',
    },
  });
