// Where a request comes from, as far as an address can tell.
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');

/** One network: an IPv4 address, or the /64 that a household is given of IPv6. Anything else is given back as it is. */
export const networkOf = (clientAddress: string): string => {
  const address = plain(clientAddress);
  if (!isIPv6(address)) return address;
  const [before = '', after = ''] = address.split('::');
  const [head, tail] = [before, after].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(Math.max(0, 8 - head!.length - tail!.length)).fill('0');
  const network = [...head!, ...zeros, ...tail!].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
};

/** Addresses that many use at once, each inside a network of its own (RFC 6890, RFC 4193). */
const local = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  local.addSubnet(address, bits, 'ipv4');
local.addAddress('::1', 'ipv6');
local.addSubnet('fc00::', 7, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

/** The network where it tells people apart; null for loopback, private and carrier-shared addresses, which do not. */
export const publicNetworkOf = (clientAddress: string | null): string | null => {
  const address = plain(clientAddress ?? '');
  const isPublic = isIPv4(address)
    ? !local.check(address, 'ipv4')
    : isIPv6(address) && !local.check(address, 'ipv6');
  return isPublic ? networkOf(address) : null;
};
