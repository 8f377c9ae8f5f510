/** Places in which something is lost, comes late, or dies in between. */
import { afterEach } from 'vitest';
import { experimentsPlace, type Place, type PlaceOptions } from './place.ts';

export interface Opened {
  place: Place;
  /** An image in it. */
  tiny: string;
}

/** For the tests of one file: what opens a place for a test. It is closed when the test is over. */
export function placeForEach(): (options?: PlaceOptions) => Promise<Opened> {
  let place: Place | undefined;
  afterEach(() => place?.close());
  return async (options = {}) => {
    place = await experimentsPlace(options);
    return { place, tiny: await place.publish('tiny') };
  };
}

export const later = (seconds: number) => new Date(Date.now() + seconds * 1000);
