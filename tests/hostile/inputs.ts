// All that is plain HTTP and wrong as a request.
import { bodies } from './bodies.ts';
import { pages, tokens } from './doors.ts';
import type { Input, Words } from './input.ts';
import { texts } from './texts.ts';
import { values } from './values.ts';

export const inputsIn = (words: Words): readonly Input[] => [
  ...texts(words),
  ...bodies(words),
  ...values(words),
  ...tokens(words),
  ...pages(words),
];
