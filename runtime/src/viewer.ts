// Who asks. The gateway reads it from the access token and signs it; subgraphs believe only what is signed.

export type Viewer = {
  readonly tenantId: string;
  /** uuid; null for somebody not signed in and for services */
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly scopes: ReadonlySet<string>;
  /** the subgraph that asks on its own behalf, with scopes of its own */
  readonly service: string | null;
  readonly clientAddress: string | null;
  readonly deviceId: string | null;
};

export const anonymous = (tenantId: string): Viewer => ({
  tenantId,
  userId: null,
  sessionId: null,
  scopes: new Set(),
  service: null,
  clientAddress: null,
  deviceId: null,
});

export const viewerToText = (viewer: Viewer): string =>
  Buffer.from(JSON.stringify({ ...viewer, scopes: [...viewer.scopes] })).toString('base64url');

/** Reads what `viewerToText` wrote; only called on text whose signature has been checked. */
export const viewerFromText = (text: string): Viewer => {
  const parsed = JSON.parse(Buffer.from(text, 'base64url').toString());
  return { ...parsed, scopes: new Set(parsed.scopes) };
};

/** The person who asks, for fields to which the schema lets only persons. @throws TypeError where it lets in others */
export const personOf = ({ userId }: Viewer): string => {
  if (userId === null) throw new TypeError('nobody has signed in here: is a field without @authenticated?');
  return userId;
};

export const may = (viewer: Viewer, scope: string): boolean => viewer.scopes.has(scope);
