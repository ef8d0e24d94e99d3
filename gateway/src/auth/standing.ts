// What the rules may ask about somebody: the subgraphs ask the same, in the same words.
export {
  meets,
  type Refusal,
  type Requirement,
  refusalOf,
  type Standing,
} from '@orderstream/runtime/standing';
