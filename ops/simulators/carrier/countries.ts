import { townOfPostcode } from './postcode-areas.ts';
import type { Town } from './route.ts';

type Entry = readonly [name: string, latitude: number, longitude: number];

/** Outside Britain a parcel is followed to the capital or the largest city. ISO 3166-1 alpha-2. */
const countries: Readonly<Record<string, Entry>> = {
  AE: ['Dubai', 25.205, 55.271],
  AT: ['Vienna', 48.208, 16.373],
  AU: ['Sydney', -33.869, 151.209],
  BE: ['Brussels', 50.85, 4.352],
  BG: ['Sofia', 42.698, 23.322],
  BH: ['Manama', 26.228, 50.586],
  BR: ['São Paulo', -23.551, -46.633],
  CA: ['Toronto', 43.653, -79.383],
  CH: ['Zürich', 47.377, 8.541],
  CY: ['Nicosia', 35.186, 33.382],
  CZ: ['Prague', 50.075, 14.438],
  DE: ['Frankfurt', 50.11, 8.682],
  DK: ['Copenhagen', 55.676, 12.568],
  EE: ['Tallinn', 59.437, 24.754],
  ES: ['Madrid', 40.417, -3.704],
  FI: ['Helsinki', 60.17, 24.938],
  FR: ['Paris', 48.857, 2.352],
  GG: ['Guernsey', 49.455, -2.536],
  GR: ['Athens', 37.984, 23.728],
  HK: ['Hong Kong', 22.319, 114.169],
  HR: ['Zagreb', 45.815, 15.982],
  HU: ['Budapest', 47.498, 19.04],
  IE: ['Dublin', 53.35, -6.26],
  IL: ['Tel Aviv', 32.085, 34.782],
  IM: ['Douglas', 54.152, -4.486],
  IS: ['Reykjavík', 64.147, -21.943],
  IT: ['Milan', 45.464, 9.19],
  JE: ['Jersey', 49.187, -2.107],
  JP: ['Tokyo', 35.676, 139.65],
  LB: ['Beirut', 33.894, 35.502],
  LT: ['Vilnius', 54.687, 25.28],
  LU: ['Luxembourg', 49.612, 6.13],
  LV: ['Riga', 56.949, 24.105],
  MT: ['Valletta', 35.899, 14.514],
  NL: ['Amsterdam', 52.368, 4.904],
  NO: ['Oslo', 59.914, 10.752],
  NZ: ['Auckland', -36.851, 174.764],
  PL: ['Warsaw', 52.23, 21.012],
  PT: ['Lisbon', 38.722, -9.139],
  RO: ['Bucharest', 44.427, 26.103],
  SA: ['Riyadh', 24.714, 46.675],
  SE: ['Stockholm', 59.329, 18.069],
  SG: ['Singapore', 1.352, 103.82],
  SI: ['Ljubljana', 46.057, 14.506],
  SK: ['Bratislava', 48.149, 17.107],
  US: ['New York', 40.713, -74.006],
  ZA: ['Johannesburg', -26.204, 28.047],
};

/** Where a parcel to this address ends, as a town; undefined where the carrier does not go. */
export const townOf = (address: {
  readonly postcode: string;
  readonly country: string;
}): Town | undefined => {
  const country = address.country.toUpperCase();
  if (country === 'GB') return townOfPostcode(address.postcode);
  const found = Object.hasOwn(countries, country) ? countries[country] : undefined;
  return found && { name: found[0], latitude: found[1], longitude: found[2] };
};
