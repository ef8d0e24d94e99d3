// Goods: none sold twice, none that nobody can explain.
import { type Invariant, seenIn } from './invariant.ts';

export const ofStock: readonly Invariant[] = [
  seenIn(
    'inventory',
    'always',
    'I1 no unit is sold twice',
    `select format('variant %s in %s: %s held and %s allocated of %s', variant_id, warehouse_id, held, allocated, on_hand)
       as what
     from stock where held < 0 or allocated < 0 or held + allocated > on_hand`,
  ),
  seenIn(
    'inventory',
    'always',
    'I2 no unit appears or vanishes',
    `select format('variant %s in %s: %s there, %s left, %s came', variant_id, warehouse_id, on_hand,
       shipped + written_off, received + returned) as what
     from stock where on_hand + shipped + written_off <> received + returned`,
  ),
  seenIn(
    'inventory',
    'always',
    'I3 what is held and allocated is what orders have',
    `with had as (
       select p.variant_id, p.warehouse_id, sum(p.quantity) filter (where r.state = 'HELD') as held,
         sum(p.quantity) filter (where r.state = 'ALLOCATED') as allocated
       from reservation r join reservation_part p on p.reservation_id = r.id group by 1, 2)
     select format('variant %s in %s: stock says %s held and %s allocated, reservations %s and %s', variant_id,
       warehouse_id, s.held, s.allocated, coalesce(h.held, 0), coalesce(h.allocated, 0)) as what
     from stock s left join had h using (variant_id, warehouse_id)
     where s.held <> coalesce(h.held, 0) or s.allocated <> coalesce(h.allocated, 0)`,
  ),
  seenIn(
    'inventory',
    'always',
    'I4 movements add up to the counters',
    `with moved as (
       select variant_id, warehouse_id, kind, sum(quantity) as quantity from movement group by 1, 2, 3)
     select format('variant %s in %s: %s %s, its movements %s', s.variant_id, s.warehouse_id, c.counted, c.kind,
       coalesce(m.quantity, 0)) as what
     from stock s cross join lateral (values ('received', s.received), ('returned', s.returned), ('shipped', s.shipped),
       ('written_off', s.written_off), ('held', s.held), ('allocated', s.allocated)) c (kind, counted)
     left join moved m on m.variant_id = s.variant_id and m.warehouse_id = s.warehouse_id and m.kind = c.kind
     where c.counted <> coalesce(m.quantity, 0)`,
  ),
  seenIn(
    'inventory',
    'always',
    'I3 what has left and come back is what orders were sent and gave back',
    `with had as (
       select p.variant_id, p.warehouse_id, sum(p.quantity) filter (where r.state = 'SHIPPED') as shipped,
         sum(p.restocked) as restocked
       from reservation r join reservation_part p on p.reservation_id = r.id group by 1, 2)
     select format('variant %s in %s: stock says %s shipped and %s returned, reservations %s and %s', variant_id,
       warehouse_id, s.shipped, s.returned, coalesce(h.shipped, 0), coalesce(h.restocked, 0)) as what
     from stock s left join had h using (variant_id, warehouse_id)
     where s.shipped <> coalesce(h.shipped, 0) or s.returned <> coalesce(h.restocked, 0)
     union all
     select format('refund %s put %s of variant %s back', l.refund_id, l.restocked, l.variant_id)
     from restock_line l join restock r using (refund_id) where l.restocked > l.wanted or (l.restocked > 0 and not r.done)`,
  ),
  seenIn(
    'inventory',
    'always',
    'I17 what can be sold is summed up rightly',
    `select format('variant %s: told as %s, in the warehouses %s', variant_id, l.available, s.available) as what
     from variant_level l join (
       select variant_id, sum(on_hand - held - allocated) as available from stock group by 1) s using (variant_id)
     where l.available <> s.available`,
  ),
  {
    name: 'I17 orders know what can be sold',
    holds: 'quiet',
    broken: async ({ rows }) => {
      type Level = { variant: string; available: number };
      const level = 'variant_id as variant, available';
      const [owner, copy] = await Promise.all([
        rows<Level>('inventory', `select ${level} from variant_level`),
        rows<Level>('orders', `select ${level} from stock_level`),
      ]);
      const known = new Map(copy.map(({ variant, available }) => [variant, available]));
      return owner
        .filter(({ variant, available }) => known.get(variant) !== available)
        .map(
          ({ variant, available }) => `variant ${variant}: ${available}, orders know ${known.get(variant)}`,
        );
    },
  },
];
