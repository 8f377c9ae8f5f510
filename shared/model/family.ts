/** Families of images (B14): a base and its descendants, as the API speaks of them. */
import * as z from 'zod';
import { acrossFields } from './across-fields.ts';
import { buildSchema } from './build.ts';
import { imageSchema, repositoryName } from './image.ts';
import { namedBuildFields } from './named-build.ts';
import { dockerfileProblem } from './new-build.ts';

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
            'The images, in any order. An image depends on another if its FROM, COPY --from or --mount=from names the URI or `repository:tag` of the other.',
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
      images: z
        .array(imageSchema)
        .meta({ description: 'The images, each after the images that it depends on.' }),
      builds: z.array(buildSchema).meta({ description: 'The builds of these images, in the same order.' }),
    })
    .meta({ id: 'Family' }),
);
