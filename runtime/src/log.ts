import pino from 'pino';

export type Log = pino.Logger;

/**
 * JSON lines on standard output. Fields that could hold a secret or a person's data are cut out by name; so is what
 * PostgreSQL adds to its errors, which quotes whole rows. Its code and constraint say enough.
 */
export const createLog = (name: string, level: string, to?: pino.DestinationStream): Log =>
  pino(
    {
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
          'detail',
          'where',
        ].flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[cut]',
      },
    },
    to ?? pino.destination(1),
  );
