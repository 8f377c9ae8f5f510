/** Deliveries as bad as EventBridge may make them: twice, late, in another order. For tests. */

export interface Chaos {
  /** Delays in milliseconds, one for each time the event is delivered. */
  delaysMs(): number[];
}

const calm: Chaos = { delaysMs: () => [0] };

/**
 * Reads `SLIPWAY_EVENTS_CHAOS`: a comma-separated list of `duplicate` (every event comes twice), `delay[=ms]`
 * (each up to so much later, 2000 unless said) and `reorder[=ms]` (each by chance held back, 500 unless said).
 * `random` gives numbers in [0, 1). Throws an Error on anything else.
 */
export function readChaos(setting: string | undefined, random: () => number): Chaos {
  if (!setting?.trim()) return calm;
  let copies = 1;
  let maxDelayMs = 0;
  let heldBackMs = 0;
  for (const part of setting.split(',')) {
    const [, name, value] = /^\s*(\w+)(?:=(\d+))?\s*$/.exec(part) ?? [];
    if (name === 'duplicate') copies = 2;
    else if (name === 'delay') maxDelayMs = Number(value ?? 2000);
    else if (name === 'reorder') heldBackMs = Number(value ?? 500);
    else
      throw new Error(
        `SLIPWAY_EVENTS_CHAOS takes duplicate, delay=<ms> and reorder=<ms>, separated by commas, not '${part}'.`,
      );
  }
  return {
    delaysMs: () =>
      Array.from({ length: copies }, () =>
        Math.round(random() * maxDelayMs + (random() < 0.5 ? heldBackMs : 0)),
      ),
  };
}
