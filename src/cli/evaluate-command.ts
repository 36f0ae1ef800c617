// `evaluate` and `search` as the command line knows them; what they do is loaded when they run.
import type { Command } from 'commander';
import { EVALUATE_FLAGS, type EvaluateArguments } from './evaluate-flags.js';
import { addFlags } from './flags.js';
import { SEARCH_FLAGS, type SearchArguments } from './search-flags.js';

export function addEvaluate(program: Command): void {
  const evaluating = program
    .command('evaluate')
    .description('score a model on labelled sets, alone or held against another: STS, retrieval, classification, drift without labels')
    .action(async (given: EvaluateArguments) => (await import('./evaluate.js')).evaluate(given));
  addFlags(evaluating, EVALUATE_FLAGS);
  const searching = program
    .command('search')
    .description('find the rows of an output of embed that are nearest to a query')
    .argument('<file>', 'Parquet, Arrow or JSONL that embed wrote')
    .argument('<query>', 'what to look for')
    .action(async (file: string, query: string, given: SearchArguments) => (await import('./search.js')).search(file, query, given));
  addFlags(searching, SEARCH_FLAGS);
}
