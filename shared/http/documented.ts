/**
 * Marks what only the OpenAPI document needs. `infra/bundles.ts` leaves it out of the functions, and with it every
 * schema of an answer, which nothing at run time asks for.
 */
export const documented = <T>(documentation: () => T): (() => T) => documentation;
