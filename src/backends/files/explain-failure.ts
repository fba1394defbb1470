import type { StoreError } from '../../core/errors.js';

/** For Backend.explainFailure: what to do about a folder without a store. */
export function explainFailure({ code }: StoreError, where: string): string | undefined {
  if (code !== 'not_found') return undefined;
  return (
    `${where} is not a Kloset store: there is no file ${where}/CONFIG. ` +
    `Name a store's folder, or make one there with \`plakar at ${where} create\`.`
  );
}
