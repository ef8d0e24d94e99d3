// What partners ask is told to whoever keeps their accounts, when each request is over.
import type { PartnerDoor } from '../persisted/partner-door.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export const withAccounts = (telemetry: Telemetry, partners: PartnerDoor): Telemetry => ({
  ...telemetry,
  leave: (visit, status, ending, code) => {
    if (visit.partner && !visit.isOver) partners.count(visit.partner, visit.cost, ending === 'refused');
    telemetry.leave(visit, status, ending, code);
  },
});
