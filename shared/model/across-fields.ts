import * as z from 'zod';

/**
 * For `check` of an object: what its fields have to do with one another. It is looked at also where single fields are
 * wrong, so that neither hides the other. `look` may then meet values of another type than it expects.
 */
export function acrossFields<T>(
  look: (value: T, add: (path: PropertyKey[], message: string) => void) => void,
): z.core.$ZodCheck<T> {
  return z.superRefine<T>(
    (value, context) => {
      try {
        look(value, (path, message) => context.addIssue({ code: 'custom', path: [...path], message }));
      } catch (error) {
        // Of a value that is wrong itself, more can't be said.
        if (context.issues.length === 0) throw error;
      }
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  );
}
