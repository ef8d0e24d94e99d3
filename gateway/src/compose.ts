// `npm run compose`: writes gateway/supergraph.graphql, gateway/api.graphql and gateway/partner.graphql. A change that would
// break an existing client, or a partner, is refused unless what goes away has been @deprecated before; `-- --break` says
// that it is meant.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { breakingChanges } from './api-changes.ts';
import { composeSupergraph } from './composition.ts';

const fileOf = (name: string): URL => new URL(`../${name}.graphql`, import.meta.url);

const composed = composeSupergraph();
const broken = (['api', 'partner'] as const).flatMap((name) =>
  existsSync(fileOf(name)) ? breakingChanges(readFileSync(fileOf(name), 'utf8'), composed[name]) : [],
);
if (broken.length > 0 && !process.argv.includes('--break')) {
  console.error(
    `This would break existing clients:\n${[...new Set(broken)].map((change) => `  ${change}`).join('\n')}\n` +
      'Deprecate first, or say that it is meant: npm run compose -- --break',
  );
  process.exit(1);
}
for (const name of ['supergraph', 'api', 'partner'] as const) writeFileSync(fileOf(name), composed[name]);
console.log('gateway/supergraph.graphql, gateway/api.graphql and gateway/partner.graphql are up to date.');
