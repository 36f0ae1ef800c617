// What of a model's settings decides which of its files are needed. What is odd about them is for `export` to say.
import { z } from 'zod';
import { readJson } from '../model/json-file.js';

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string().default('') }));
const typeSchema = z.looseObject({ model_type: z.string() });

/** Folders of the modules of a modules.json, the transformer's first; none where there is no such file. */
export async function modulesIn(path: string): Promise<string[]> {
  const listed = (await readJson(path, modulesSchema).catch(() => undefined)) ?? [];
  const isTransformer = ({ type }: { type: string }): boolean => type.endsWith('Transformer');
  return [...listed.filter(isTransformer), ...listed.filter((module) => !isTransformer(module))].map(({ path: folder }) => folder);
}

/** model_type of a config.json. */
export async function modelTypeIn(path: string): Promise<string | undefined> {
  return (await readJson(path, typeSchema).catch(() => undefined))?.model_type;
}
