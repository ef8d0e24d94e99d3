// Which web pages may call, and what keeps those that may not from calling as their visitor.
// https://fetch.spec.whatwg.org/#http-cors-protocol

export type CorsSettings = {
  /** `*` for all */
  readonly origins: readonly string[];
  readonly credentials: boolean;
  readonly headers: readonly string[];
  readonly exposes: readonly string[];
  /** milliseconds for which a browser need not ask again */
  readonly maxAge: number;
};

export type Cors = {
  /** Names and values by turns; for a page that may not call, only that the answer depends on who asks. */
  readonly answer: (origin: string | undefined) => readonly string[];
  readonly preflight: (origin: string | undefined) => readonly string[];
};

export const createCors = ({ origins, credentials, headers, exposes, maxAge }: CorsSettings): Cors => {
  const allowed = new Set(origins);
  const isOpen = allowed.has('*');
  const vary = isOpen ? [] : ['vary', 'Origin'];
  const isAllowed = (origin: string | undefined): origin is string =>
    origin !== undefined && (isOpen || allowed.has(origin));
  const common = (origin: string): string[] => [
    ...vary,
    'access-control-allow-origin',
    isOpen ? '*' : origin,
    ...(credentials ? ['access-control-allow-credentials', 'true'] : []),
  ];
  const exposed = exposes.length > 0 ? ['access-control-expose-headers', exposes.join(', ')] : [];
  return {
    answer: (origin) => (isAllowed(origin) ? [...common(origin), ...exposed] : vary),
    preflight: (origin) =>
      isAllowed(origin)
        ? [
            ...common(origin),
            'access-control-allow-methods',
            'GET, POST, OPTIONS',
            'access-control-allow-headers',
            headers.join(', '),
            'access-control-max-age',
            String(Math.floor(maxAge / 1_000)),
          ]
        : vary,
  };
};

type Request = {
  readonly method: string;
  readonly contentType: string | undefined;
  readonly names: ReadonlySet<string>;
};

/** Headers that a page of another origin cannot send without a preflight. */
const markers = [
  'x-apollo-operation-name',
  'apollo-require-preflight',
  'x-graphql-client',
  'authorization',
  'x-api-key',
];

const simpleTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);

/** Whether a page of another origin could have sent this without a browser asking us first. */
export const isForgeable = ({ method, contentType, names }: Request): boolean => {
  if (markers.some((name) => names.has(name))) return false;
  if (method === 'GET' || method === 'HEAD') return true;
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return type === '' || simpleTypes.has(type);
};
