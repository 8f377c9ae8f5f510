import * as z from 'zod';
import { idSchema } from './id.ts';

const nodeSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('image').optional().meta({ description: 'Absent for an image that is not in the table' }),
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
      parent: nodeSchema.optional().meta({ description: 'What its last build is FROM' }),
      ancestors: z.array(nodeSchema).meta({ description: 'The parent first' }),
      children: z.array(nodeSchema),
      childrenComplete: z.boolean().meta({ description: 'False where there may be more' }),
      mermaid: z.string().meta({ description: 'The same as a Mermaid flowchart' }),
    })
    .meta({ id: 'Lineage' }),
);
export type Lineage = z.infer<typeof lineageSchema>;
