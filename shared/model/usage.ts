import * as z from 'zod';

const way = z.lazy(() =>
  z
    .object({
      commands: z.array(z.string()).meta({ description: 'Commands for a POSIX shell, in this order.' }),
      notes: z.array(z.string()),
    })
    .meta({ id: 'UsageCommands' }),
);

export const usageSchema = z.lazy(() =>
  z
    .object({
      pinned: z.string().meta({ description: 'The URI with the digest, which always names the same image.' }),
      docker: way,
      apptainer: way.meta({ description: 'For Singularity, replace `apptainer` with `singularity`.' }),
      metaflow: way,
      kubeflow: z
        .object({
          manifest: z.string().meta({ description: 'YAML for `kubectl apply -f -`.' }),
          notes: z.array(z.string()),
        })
        .meta({ id: 'KubeflowUsage' }),
      batch: z
        .object({
          jobDefinition: z.record(z.string(), z.unknown()).meta({
            id: 'BatchJobDefinition',
            description: 'Input for `aws batch register-job-definition --cli-input-json`.',
          }),
          commands: z.array(z.string()),
          notes: z.array(z.string()),
        })
        .meta({ id: 'BatchUsage' }),
    })
    .meta({ id: 'ImageUsage' }),
);
export type ImageUsage = z.infer<typeof usageSchema>;
