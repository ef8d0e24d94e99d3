/**
 * Where the source's customers live: real cities with postcodes of the right form. Streets and house numbers are
 * invented, so an address found here by chance belongs to nobody.
 */
export type Place = {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Each with the form of its postcodes: # is a digit, @ a letter as British postcodes end with. */
  readonly cities: readonly (readonly [city: string, postcode: string])[];
  /** How an address line is written; {n} is the house number. */
  readonly streets: readonly string[];
};

const english = [
  '{n} Mill Lane',
  '{n} Church Road',
  '{n} Station Road',
  '{n} Orchard Close',
  '{n} Victoria Street',
  '{n} The Green',
];
const german = ['Lindenweg {n}', 'Bahnhofstraße {n}', 'Gartenstraße {n}', 'Am Markt {n}'];
const french = ['{n} rue de la Gare', '{n} rue des Lilas', '{n} avenue Victor Hugo', '{n} place du Marché'];
const dutch = ['Molenstraat {n}', 'Kerkstraat {n}', 'Dorpsstraat {n}'];
const nordic = ['Skolegata {n}', 'Kirkegata {n}', 'Strandgata {n}'];
const spanish = ['Calle Mayor {n}', 'Calle del Sol {n}', 'Avenida de la Paz {n}'];
const italian = ['Via Roma {n}', 'Via Garibaldi {n}', 'Piazza del Popolo {n}'];
const portuguese = ['Rua das Flores {n}', 'Avenida da Liberdade {n}', 'Rua do Sol {n}'];

const britain: Place = {
  country: 'GB',
  cities: [
    ['London', 'SE1# #@@'],
    ['London', 'N1# #@@'],
    ['London', 'W1# #@@'],
    ['Birmingham', 'B1# #@@'],
    ['Manchester', 'M2# #@@'],
    ['Leeds', 'LS1# #@@'],
    ['Sheffield', 'S1# #@@'],
    ['Liverpool', 'L1# #@@'],
    ['Bristol', 'BS1# #@@'],
    ['Cardiff', 'CF1# #@@'],
    ['Glasgow', 'G4# #@@'],
    ['Edinburgh', 'EH1# #@@'],
    ['Newcastle upon Tyne', 'NE1# #@@'],
    ['Nottingham', 'NG1# #@@'],
    ['Norwich', 'NR1# #@@'],
    ['Exeter', 'EX# #@@'],
    ['Brighton', 'BN# #@@'],
    ['Oxford', 'OX# #@@'],
    ['Cambridge', 'CB# #@@'],
    ['Belfast', 'BT1# #@@'],
  ],
  streets: english,
};

/**
 * By the country names of the source. Two are none: Unspecified is taken for the shop's own country, and European
 * Community for Brussels. Hong Kong and the Emirates have no postcodes; forms that insist on one get 999077 and 00000.
 */
export const places: Readonly<Record<string, Place>> = {
  Australia: {
    country: 'AU',
    cities: [
      ['Sydney', '20##'],
      ['Melbourne', '30##'],
    ],
    streets: english,
  },
  Austria: {
    country: 'AT',
    cities: [
      ['Wien', '10#0'],
      ['Graz', '80#0'],
    ],
    streets: german,
  },
  Bahrain: { country: 'BH', cities: [['Manama', '3##']], streets: english },
  Belgium: {
    country: 'BE',
    cities: [
      ['Antwerpen', '20#0'],
      ['Gent', '90#0'],
    ],
    streets: dutch,
  },
  Brazil: { country: 'BR', cities: [['São Paulo', '010##-0#0']], streets: portuguese },
  Canada: {
    country: 'CA',
    cities: [
      ['Toronto', 'M5V #A#'],
      ['Vancouver', 'V6B #B#'],
    ],
    streets: english,
  },
  'Channel Islands': { country: 'JE', cities: [['Saint Helier', 'JE2 #@@']], streets: english },
  Cyprus: {
    country: 'CY',
    cities: [
      ['Nicosia', '10##'],
      ['Limassol', '30##'],
    ],
    streets: english,
  },
  'Czech Republic': { country: 'CZ', cities: [['Praha', '11# 00']], streets: ['Dlouhá {n}', 'Školní {n}'] },
  Denmark: {
    country: 'DK',
    cities: [
      ['København', '21##'],
      ['Aarhus', '80##'],
    ],
    streets: ['Skolegade {n}', 'Kirkevej {n}'],
  },
  EIRE: {
    country: 'IE',
    cities: [
      ['Dublin', 'D0# A###'],
      ['Cork', 'T12 E###'],
    ],
    streets: english,
  },
  'European Community': { country: 'BE', cities: [['Bruxelles', '10#0']], streets: french },
  Finland: {
    country: 'FI',
    cities: [
      ['Helsinki', '001#0'],
      ['Tampere', '331#0'],
    ],
    streets: ['Koulukatu {n}', 'Rantatie {n}'],
  },
  France: {
    country: 'FR',
    cities: [
      ['Paris', '7501#'],
      ['Lyon', '6900#'],
      ['Nantes', '44#00'],
      ['Lille', '59#00'],
      ['Bordeaux', '33#00'],
    ],
    streets: french,
  },
  Germany: {
    country: 'DE',
    cities: [
      ['Berlin', '101##'],
      ['Hamburg', '203##'],
      ['München', '803##'],
      ['Köln', '506##'],
      ['Leipzig', '041##'],
    ],
    streets: german,
  },
  Greece: { country: 'GR', cities: [['Athina', '105 ##']], streets: ['Ermou {n}', 'Athinas {n}'] },
  'Hong Kong': { country: 'HK', cities: [['Hong Kong', '999077']], streets: english },
  Iceland: { country: 'IS', cities: [['Reykjavík', '10#']], streets: ['Skólagata {n}', 'Strandgata {n}'] },
  Israel: {
    country: 'IL',
    cities: [['Tel Aviv', '61#####']],
    streets: ['{n} Herzl Street', '{n} Allenby Street'],
  },
  Italy: {
    country: 'IT',
    cities: [
      ['Milano', '201##'],
      ['Roma', '001##'],
      ['Torino', '101##'],
    ],
    streets: italian,
  },
  Japan: {
    country: 'JP',
    cities: [
      ['Tokyo', '150-00##'],
      ['Osaka', '530-00##'],
    ],
    streets: ['{n}-2 Sakura', '{n}-5 Midori'],
  },
  Lebanon: { country: 'LB', cities: [['Beirut', '20## ####']], streets: french },
  Lithuania: { country: 'LT', cities: [['Vilnius', '011##']], streets: ['Sodų g. {n}', 'Mokyklos g. {n}'] },
  Malta: { country: 'MT', cities: [['Valletta', 'VLT 1###']], streets: english },
  Netherlands: {
    country: 'NL',
    cities: [
      ['Amsterdam', '101# AB'],
      ['Utrecht', '351# CD'],
    ],
    streets: dutch,
  },
  Norway: {
    country: 'NO',
    cities: [
      ['Oslo', '01##'],
      ['Bergen', '50##'],
    ],
    streets: nordic,
  },
  Poland: {
    country: 'PL',
    cities: [
      ['Warszawa', '00-1##'],
      ['Kraków', '30-0##'],
    ],
    streets: ['ul. Szkolna {n}', 'ul. Polna {n}'],
  },
  Portugal: {
    country: 'PT',
    cities: [
      ['Lisboa', '11##-0##'],
      ['Porto', '40##-0##'],
    ],
    streets: portuguese,
  },
  'Saudi Arabia': {
    country: 'SA',
    cities: [['Riyadh', '116##']],
    streets: ['{n} Olaya Street', '{n} Palm Street'],
  },
  Singapore: { country: 'SG', cities: [['Singapore', '0790##']], streets: english },
  Spain: {
    country: 'ES',
    cities: [
      ['Madrid', '280##'],
      ['Barcelona', '080##'],
      ['Valencia', '460##'],
    ],
    streets: spanish,
  },
  Sweden: {
    country: 'SE',
    cities: [
      ['Stockholm', '11# ##'],
      ['Malmö', '21# ##'],
    ],
    streets: ['Skolgatan {n}', 'Kyrkogatan {n}'],
  },
  Switzerland: {
    country: 'CH',
    cities: [
      ['Zürich', '80##'],
      ['Genève', '120#'],
    ],
    streets: german,
  },
  'United Arab Emirates': { country: 'AE', cities: [['Dubai', '00000']], streets: english },
  'United Kingdom': britain,
  Unspecified: britain,
  USA: {
    country: 'US',
    cities: [
      ['New York', '100##'],
      ['Chicago', '606##'],
    ],
    streets: ['{n} Maple Street', '{n} Oak Avenue'],
  },
};
