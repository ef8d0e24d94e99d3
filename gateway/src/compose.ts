// `npm run compose`: writes gateway/supergraph.graphql and gateway/api.graphql. A change that would break an existing
// client is refused unless what goes away has been @deprecated before; `-- --break` says that it is meant.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { breakingChanges } from './api-changes.ts';
import { composeSupergraph } from './composition.ts';

const supergraphFile = new URL('../supergraph.graphql', import.meta.url);
const apiFile = new URL('../api.graphql', import.meta.url);

const composed = composeSupergraph();
const broken = existsSync(apiFile) ? breakingChanges(readFileSync(apiFile, 'utf8'), composed.api) : [];
if (broken.length > 0 && !process.argv.includes('--break')) {
  console.error(
    `This would break existing clients:\n${broken.map((change) => `  ${change}`).join('\n')}\n` +
      'Deprecate first, or say that it is meant: npm run compose -- --break',
  );
  process.exit(1);
}
writeFileSync(supergraphFile, composed.supergraph);
writeFileSync(apiFile, composed.api);
console.log('gateway/supergraph.graphql and gateway/api.graphql are up to date.');
