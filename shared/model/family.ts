/** Families of images (B14): a base and its descendants, as the API speaks of them. */
import * as z from 'zod';
import { acrossFields } from './across-fields.ts';
import { buildSchema, dockerfileProblem } from './build.ts';
import { imageSchema, repositoryName } from './image.ts';
import { namedBuildFields } from './named-build.ts';

/** All are accepted by one request, each with its own writes. */
const imagesAtMost = 20;

export const newFamilySchema = z.lazy(() =>
  z
    .strictObject({
      images: z
        .array(
          z.strictObject({ ...namedBuildFields, repository: repositoryName }).meta({ id: 'NewFamilyImage' }),
        )
        .min(1)
        .max(imagesAtMost)
        .meta({
          description:
            'In any order. One is built on another where its FROM, COPY --from or --mount=from names the URI or the `repository:tag` of that one',
        }),
    })
    .check(
      acrossFields(({ images }, add) => {
        for (const [i, image] of images.entries()) {
          const message = dockerfileProblem(image);
          if (message) add(['images', i, 'dockerfile'], message);
        }
      }),
    )
    .meta({ id: 'NewFamily' }),
);
export type NewFamily = z.output<typeof newFamilySchema>;

export const familySchema = z.lazy(() =>
  z
    .object({
      images: z.array(imageSchema).meta({ description: 'Each behind those that it is built on' }),
      builds: z.array(buildSchema).meta({ description: 'Of those images, in the same order' }),
    })
    .meta({ id: 'Family' }),
);
