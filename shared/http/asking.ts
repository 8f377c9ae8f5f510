import type { Operation, ValidRequest } from './operation.ts';

/** Who asks, and when. */
export interface Asking {
  organisation: string;
  email: string;
  now: Date;
}

export const askingOf = ({ caller, now }: Pick<ValidRequest<Operation>, 'caller' | 'now'>): Asking => ({
  organisation: caller.organisation,
  email: caller.email,
  now,
});
