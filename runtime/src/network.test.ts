import { expect, test } from 'vitest';
import { networkOf, publicNetworkOf } from './network.ts';

test('an IPv4 address is a network, and of IPv6 the part that a household is given', () => {
  expect(networkOf('::ffff:203.0.113.9')).toBe('203.0.113.9');
  expect(networkOf('203.0.113.9')).toBe('203.0.113.9');
  expect(networkOf('2001:db8:0:1:aaaa::1')).toBe('2001:db8:0:1::/64');
  expect(networkOf('2001:DB8::1:bbbb:0:0:2')).toBe('2001:db8:0:1::/64');
  expect(networkOf('2001:0db8::ffff:1.2.3.4')).toBe('2001:db8:0:0::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('unknown')).toBe('unknown');
});

test.each([
  '127.0.0.1',
  '::1',
  '10.1.2.3',
  '192.168.0.9',
  '100.64.3.4',
  '::ffff:172.16.0.1',
  'fe80::1%eth0',
  'fd00::5',
])('%s does not tell people apart', (address) => expect(publicNetworkOf(address)).toBeNull());

test('a public address tells people apart, and none or nonsense does not', () => {
  expect(publicNetworkOf('203.0.113.9')).toBe('203.0.113.9');
  expect(publicNetworkOf('2001:db8::7')).toBe('2001:db8:0:0::/64');
  expect(publicNetworkOf(null)).toBeNull();
  expect(publicNetworkOf('here')).toBeNull();
});
