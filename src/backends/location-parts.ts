import type { StoreError } from '../core/errors.js';

/** Makes the error for a location that is wrong in this way: `invalid_argument`. */
export type Invalid = (what: string, cause?: unknown) => StoreError;

/** A port in a location. */
export function parsePort(text: string, invalid: Invalid): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid('its port has to be a number from 1 to 65535');
  return port;
}

/** A part of a location with its percent-encoding undone. */
export function percentDecoded(text: string, invalid: Invalid): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw invalid('its percent-encoding is broken', error);
  }
}
