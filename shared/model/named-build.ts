/** Builds together with the name of their image, as experiments (B12) and families (B14) ask for them. */
import * as z from 'zod';
import { acrossFields } from './across-fields.ts';
import { idSchema } from './id.ts';
import { repositoryName, reservedTagPrefix, tagName } from './image.ts';
import { buildFields, dockerfileProblem } from './new-build.ts';

const nameFields = {
  registryId: idSchema('registry').optional().meta({
    description: "Default: the organisation's default registry, or its own space in ECR if it has none.",
  }),
  repository: repositoryName.optional(),
  tag: tagName
    .refine(
      (tag) => !tag.startsWith(reservedTagPrefix),
      `must not begin with ${reservedTagPrefix}, which Slipway reserves`,
    )
    .optional()
    .meta({ description: 'Default: `latest`.' }),
};

export const namedBuildFields = { ...nameFields, ...buildFields };
export type NamedBuild = z.output<z.ZodObject<typeof namedBuildFields>>;

export const experimentBuildSchema = z.lazy(() =>
  z
    .strictObject({
      imageId: idSchema('image').optional().meta({
        description:
          'Builds this image again instead of a new one. Omitted fields keep their values from its previous build.',
      }),
      ...namedBuildFields,
    })
    .check(
      acrossFields((asked, report) => {
        const add = (path: string, message: string) => report([path], message);
        if (asked.imageId === undefined) {
          if (asked.repository === undefined) add('repository', 'is required unless `imageId` is given');
          const problem = dockerfileProblem(asked);
          if (problem) add('dockerfile', problem);
          return;
        }
        const { registryId, repository, tag, dockerfile, from } = asked;
        for (const [name, value] of Object.entries({ registryId, repository, tag }))
          if (value !== undefined) add(name, 'must not be combined with `imageId`');
        if (dockerfile !== undefined && from !== undefined)
          add('dockerfile', 'must not be combined with `from`');
      }),
    )
    .meta({ id: 'NewExperimentBuild' }),
);
export type ExperimentBuild = z.output<typeof experimentBuildSchema>;
