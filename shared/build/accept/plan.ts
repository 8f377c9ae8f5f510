import type { ImageRecord } from '../../images/record.ts';
import type { Write } from '../../store/table.ts';
import type { BuildRequest } from '../request.ts';
import type { ReadRequest, Wanted } from './request.ts';

/** Ids of what is about to be accepted. */
export interface BuildIds {
  imageId: string;
  buildId: string;
}

/** What a build is accepted together with. */
export interface Together {
  /** Written with the build or not at all; not written where another build answers. */
  also?: Write[];
  lookUp?: Wanted['lookUp'];
  /** For the timeline: of how the Dockerfile was made. */
  warnings?: string[];
}

/** A build that is found to be in order, with nothing written yet. */
export interface Plan extends ReadRequest {
  imageId: string;
  uri: string;
  /** The image as it was found; absent where there was none. */
  before?: ImageRecord;
  /**
   * `bases` are those that builds of the same request make: the ids of those builds, or the digests they made. A build
   * that is for `later` is not started here: the reconciler does.
   */
  accept(bases?: BuildRequest['bases'], later?: boolean): Promise<ImageRecord>;
}
