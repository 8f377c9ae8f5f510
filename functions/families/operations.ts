import type { AcceptDependencies } from '../../shared/build/accept/dependencies.ts';
import { buildOf } from '../../shared/build/record.ts';
import { askingOf } from '../../shared/http/asking.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { imageOf } from '../../shared/images/record.ts';
import { buildFamily } from './build-family.ts';
import * as contract from './contract.ts';

export const familyOperations = (dependencies: AcceptDependencies): Implementation[] => [
  implement(contract.createFamily, async (request) => {
    const { images } = request.body;
    const ids = images.map(() => ({ imageId: request.newId('image'), buildId: request.newId('build') }));
    const accepted = await buildFamily(dependencies, askingOf(request), ids, images, request.remainingMs);
    return {
      status: 202,
      body: {
        images: accepted.map(({ image }) => imageOf(image)),
        builds: accepted.map(({ build }) => buildOf(build)),
      },
      headers: { location: `/v1/builds/${accepted.at(-1)?.build.id}` },
    };
  }),
];
