import { allInOrder } from '../shared/concurrency/all-in-order.ts';

/**
 * As `allInOrder`; what comes after a failure in the list hears that it is of no use any more. What comes before goes
 * on: a failure of its own would be the one that is told.
 */
export function inOrder<T extends readonly unknown[]>(
  work: readonly [...{ [I in keyof T]: (signal: AbortSignal) => Promise<T[I]> }],
): Promise<T> {
  const stops = work.map(() => new AbortController());
  const running = work.map((begin, index) =>
    begin((stops[index] as AbortController).signal).catch((error: unknown) => {
      for (const later of stops.slice(index + 1)) later.abort(error);
      throw error;
    }),
  );
  return allInOrder(running) as Promise<unknown> as Promise<T>;
}
