import * as z from 'zod';
import { idSchema } from './id.ts';

const nodeSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('image').optional().meta({ description: 'Absent if the image is not listed in Slipway.' }),
      uri: z.string(),
      deprecated: z.boolean(),
    })
    .meta({ id: 'LineageNode' }),
);
export type LineageNode = z.infer<typeof nodeSchema>;

export const lineageSchema = z.lazy(() =>
  z
    .object({
      image: nodeSchema,
      parent: nodeSchema.optional().meta({ description: 'The base image of its last build.' }),
      ancestors: z
        .array(nodeSchema)
        .meta({ description: 'The base image, its base image and so on, the nearest first.' }),
      children: z.array(nodeSchema),
      childrenComplete: z.boolean().meta({ description: 'Whether the list of children is complete.' }),
      mermaid: z.string().meta({ description: 'The lineage as a Mermaid flowchart.' }),
    })
    .meta({ id: 'Lineage' }),
);
export type Lineage = z.infer<typeof lineageSchema>;
