/**
 * The cards behind Stripe's public test tokens. Only brand and last four digits exist here; there is no number
 * anywhere. As with Stripe, most declining cards refuse already to be attached to a customer.
 */
export type Decline = { readonly code: string; readonly declineCode: string; readonly message: string };

export type TestCard = {
  readonly brand: 'visa' | 'mastercard' | 'amex';
  readonly last4: string;
  readonly charge: 'approved' | 'authenticate' | Decline;
  readonly attaches: boolean;
  /** The first reply to a successful confirmation of each payment intent never arrives. */
  readonly losesReply?: true;
  /** Refunds stay pending until settled through the control API. */
  readonly refundsSlowly?: true;
};

export const GENERIC_DECLINE: Decline = {
  code: 'card_declined',
  declineCode: 'generic_decline',
  message: 'Your card was declined.',
};

const insufficientFunds: Decline = {
  code: 'card_declined',
  declineCode: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
};

const expired: Decline = {
  code: 'expired_card',
  declineCode: 'expired_card',
  message: 'Your card has expired.',
};

export const AUTHENTICATION_REQUIRED: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

const visa = { brand: 'visa', last4: '4242', charge: 'approved', attaches: true } as const;

const cards: Readonly<Record<string, TestCard>> = {
  pm_card_visa: visa,
  pm_card_mastercard: { ...visa, brand: 'mastercard', last4: '4444' },
  pm_card_amex: { ...visa, brand: 'amex', last4: '0005' },
  pm_card_chargeDeclined: { ...visa, last4: '0002', charge: GENERIC_DECLINE, attaches: false },
  pm_card_chargeCustomerFail: { ...visa, last4: '0341', charge: GENERIC_DECLINE },
  pm_card_chargeDeclinedInsufficientFunds: {
    ...visa,
    last4: '9995',
    charge: insufficientFunds,
    attaches: false,
  },
  pm_card_chargeDeclinedExpiredCard: { ...visa, last4: '0069', charge: expired, attaches: false },
  pm_card_authenticationRequired: { ...visa, last4: '3184', charge: 'authenticate' },
  pm_card_pendingRefund: { ...visa, last4: '5126', refundsSlowly: true },
  pm_orderstream_lostReply: { ...visa, losesReply: true },
};

export const isTestToken = (token: string): boolean => Object.hasOwn(cards, token);

export const cardOf = (token: string): TestCard => cards[token] ?? visa;
