/** The operations of this function, bound to their use cases. */
import { publishedImages } from '../../shared/catalogue/images.ts';
import { askingOf } from '../../shared/http/asking.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { imageAnswer } from '../../shared/images/answer.ts';
import { anyImage } from '../../shared/images/find.ts';
import { lineageOf } from '../../shared/images/lineage.ts';
import { showImage } from '../../shared/images/readme.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { removeImage, updateImage } from './change.ts';
import * as contract from './contract.ts';
import type { ImagesDependencies } from './dependencies.ts';
import { locateImage } from './location.ts';
import { putLogo, removeLogo, showLogo } from './logo.ts';
import { withWarnings } from './orphans.ts';
import { purgeTag } from './purge.ts';
import { listImages, readDockerfile } from './read.ts';
import { resolveImage } from './resolve.ts';
import { useImage } from './usage.ts';

export const imageOperations = (dependencies: ImagesDependencies): Implementation[] => {
  const { table, registries } = dependencies;
  return [
    implement(contract.listImages, async ({ caller, query }) => {
      const { items, nextCursor } = await listImages(table, caller.organisation, query, () =>
        publishedImages(dependencies, caller.organisation),
      );
      const shown = await withWarnings(registries, caller.organisation, items);
      return { status: 200, body: { items: shown, nextCursor } };
    }),
    implement(contract.resolveImage, async ({ caller, body }) => ({
      status: 200,
      body: await resolveImage(dependencies, caller.organisation, body.image),
    })),
    implement(contract.getImage, async ({ caller, params }) => {
      const record = await anyImage(dependencies, caller.organisation, params.id);
      const image = await showImage(table, caller.organisation, record);
      const [body] = await withWarnings(registries, caller.organisation, [image]);
      return { status: 200, body, etag: record.version };
    }),
    implement(contract.updateImage, async (request) => {
      const { caller, params, body, ifMatch } = request;
      return imageAnswer(
        table,
        200,
        caller.organisation,
        await updateImage(table, askingOf(request), params.id, body, ifMatch),
      );
    }),
    implement(contract.deleteImage, async (request) => {
      const { params, query, ifMatch, caller } = request;
      const purge = (image: ImageRecord) => purgeTag(dependencies, caller.organisation, image);
      await removeImage(table, askingOf(request), params.id, ifMatch, query.purge ? purge : undefined);
      return { status: 204 };
    }),
    implement(contract.getImageDockerfile, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return {
        status: 200,
        body: await readDockerfile(table, caller.organisation, image),
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      };
    }),
    implement(contract.getImageLogo, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return showLogo(table, caller.organisation, image);
    }),
    implement(contract.putImageLogo, async (request) => {
      const { caller, params, body, ifMatch } = request;
      const record = await putLogo(table, askingOf(request), params.id, body, ifMatch);
      return imageAnswer(table, 200, caller.organisation, record);
    }),
    implement(contract.deleteImageLogo, async (request) => {
      await removeLogo(table, askingOf(request), request.params.id, request.ifMatch);
      return { status: 204 };
    }),
    implement(contract.getImageUsage, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return { status: 200, body: await useImage(dependencies, caller.organisation, image) };
    }),
    implement(contract.getImageLineage, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return { status: 200, body: await lineageOf(dependencies, caller.organisation, image) };
    }),
    implement(contract.getImageLocation, async ({ caller, params }) => {
      const image = await anyImage(dependencies, caller.organisation, params.id);
      return { status: 200, body: await locateImage(dependencies, caller.organisation, image) };
    }),
  ];
};
