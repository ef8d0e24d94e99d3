import { badParameter } from './errors.ts';
import type { Tree } from './form.ts';

/** Readers of single parameters. Each throws the error that Stripe documents for what it refuses. */

export type Metadata = { [key: string]: string };

export const allowOnly = (params: Tree, names: readonly string[]): void => {
  const stranger = Object.keys(params).find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw badParameter(stranger, `Received unknown parameter: ${stranger}`, 'parameter_unknown');
  }
};

const missing = (name: string) => badParameter(name, `Missing required param: ${name}.`, 'parameter_missing');

export const text = (params: Tree, name: string, longest = 5000): string | null => {
  const value = params[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw badParameter(name, `Invalid string: ${name} must be a string`);
  if (value === '') {
    throw badParameter(name, `You passed an empty string for '${name}'.`, 'parameter_invalid_empty');
  }
  if (value.length > longest) {
    throw badParameter(name, `Invalid ${name}: must be at most ${longest} characters`);
  }
  return value;
};

export const requiredText = (params: Tree, name: string): string => {
  const value = text(params, name);
  if (value === null) throw missing(name);
  return value;
};

export const integer = (params: Tree, name: string): number | null => {
  const value = text(params, name);
  if (value === null) return null;
  if (!/^-?\d{1,12}$/.test(value)) {
    throw badParameter(name, `Invalid integer: ${value.slice(0, 40)}`, 'parameter_invalid_integer');
  }
  return Number(value);
};

export const requiredInteger = (params: Tree, name: string): number => {
  const value = integer(params, name);
  if (value === null) throw missing(name);
  return value;
};

/** An amount in minor units, above zero. */
export const positiveInteger = (params: Tree, name: string): number | null => {
  const value = integer(params, name);
  if (value !== null && value < 1) {
    throw badParameter(
      name,
      `This value must be greater than or equal to 1. (${name})`,
      'parameter_invalid_integer',
    );
  }
  return value;
};

export const flag = (params: Tree, name: string): boolean => {
  const value = text(params, name);
  if (value === null || value === 'false') return false;
  if (value === 'true') return true;
  throw badParameter(name, `Invalid boolean: ${value.slice(0, 40)}`);
};

export const choice = <Option extends string>(
  params: Tree,
  name: string,
  options: readonly Option[],
): Option | null => {
  const value = text(params, name);
  if (value === null) return null;
  const chosen = options.find((option) => option === value);
  if (chosen === undefined) throw badParameter(name, `Invalid ${name}: must be one of ${options.join(', ')}`);
  return chosen;
};

export const strings = (params: Tree, name: string): string[] => {
  const value = params[name];
  if (value === undefined || value === '') return [];
  if (typeof value === 'string') throw badParameter(name, `Invalid array: ${name}`);
  return Object.values(value).map((item) => {
    if (typeof item !== 'string') throw badParameter(name, `Invalid array: ${name} must hold strings`);
    return item;
  });
};

export const tree = (params: Tree, name: string): Tree | null => {
  const value = params[name];
  if (value === undefined) return null;
  if (typeof value === 'string') throw badParameter(name, `Invalid object: ${name}`);
  return value;
};

export const metadata = (params: Tree): Metadata => {
  const entries = Object.entries(params.metadata === '' ? {} : (tree(params, 'metadata') ?? {}));
  if (entries.length > 50) throw badParameter('metadata', 'Metadata may hold at most 50 keys.');
  const kept = entries.map(([key, value]): [string, string] => {
    const at = `metadata[${key.slice(0, 40)}]`;
    if (typeof value !== 'string') throw badParameter(at, 'Metadata values must be strings.');
    if (key.length > 40) throw badParameter(at, 'Metadata keys may have at most 40 characters.');
    if (value.length > 500) throw badParameter(at, 'Metadata values may have at most 500 characters.');
    return [key, value];
  });
  return Object.fromEntries(kept.filter(([, value]) => value !== ''));
};
