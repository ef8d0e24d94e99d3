// Pages for people: a place to try queries out, served from here in every part, and a short page of links.
import { ruruHTML } from 'ruru/server';
import { getStaticFile } from 'ruru/static';
import type { Page } from '../serving/particulars.ts';

const assets = '/explore/static/';

/** The browser itself sees to it that nothing comes from elsewhere. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const html = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
};

const explorerPage = ruruHTML({
  staticPath: assets,
  endpoint: '/graphql',
  clientConfig: { debugTools: [] },
  htmlParts: { titleTag: '<title>Orderstream explorer</title>' },
});

const linksPage = (host: string): string => {
  const endpoint = encodeURIComponent(`http://${host}/graphql`);
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Orderstream</title></head>
<body>
<h1>Orderstream</h1>
<ul>
<li><a href="/explore">Explorer</a>, served from here</li>
<li><a href="https://studio.apollographql.com/sandbox/explorer?endpoint=${endpoint}">Apollo Sandbox</a>, online</li>
<li><a href="/health/ready">Health</a></li>
</ul>
<p>GraphQL by POST at /graphql, subscriptions over graphql-ws at the same address.</p>
</body>
</html>
`;
};

/** The page or file at a path; null where there is none. */
export const pageAt = async (
  path: string,
  host: string,
  acceptEncoding: string | undefined,
): Promise<Page | null> => {
  if (path === '/') return { status: 200, headers: html, body: linksPage(host) };
  if (path === '/explore') return { status: 200, headers: html, body: explorerPage };
  if (!path.startsWith(assets)) return null;
  const file = await getStaticFile({
    staticPath: assets,
    urlPath: path,
    acceptEncoding,
    disallowDevAssets: true,
  });
  return (
    file && { status: 200, headers: { ...file.headers, 'cache-control': 'max-age=3600' }, body: file.content }
  );
};
