import * as z from 'zod';

const way = z.lazy(() =>
  z
    .object({
      commands: z.array(z.string()).meta({ description: 'For a POSIX shell, in this order' }),
      notes: z.array(z.string()),
    })
    .meta({ id: 'UsageCommands' }),
);

export const usageSchema = z.lazy(() =>
  z
    .object({
      pinned: z.string().meta({ description: 'The image by its digest: the same bytes tomorrow' }),
      docker: way,
      apptainer: way.meta({ description: 'Singularity takes the same commands under its own name' }),
      metaflow: way,
      kubeflow: z
        .object({
          manifest: z.string().meta({ description: 'YAML for `kubectl apply -f -`' }),
          notes: z.array(z.string()),
        })
        .meta({ id: 'KubeflowUsage' }),
      batch: z
        .object({
          jobDefinition: z.record(z.string(), z.unknown()).meta({
            id: 'BatchJobDefinition',
            description: 'For `aws batch register-job-definition --cli-input-json`',
          }),
          commands: z.array(z.string()),
          notes: z.array(z.string()),
        })
        .meta({ id: 'BatchUsage' }),
    })
    .meta({ id: 'ImageUsage' }),
);
export type ImageUsage = z.infer<typeof usageSchema>;
