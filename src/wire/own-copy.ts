/**
 * The metadata of a call that has objects read from the store itself, and not from its mirror where it can't read them. A gateway sets it where it
 * reads from a mirror: otherwise two gateways that mirror each other would ask one another for ever for an object that neither has.
 */
export const ownCopyKey = 'kloset-own-copy';
