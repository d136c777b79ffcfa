/** For now. */
export function optimizerRule(_name: string, _options: object) {
  return { kernel: 'plainStep', moments: [] as string[], settings: (_t: number, rate: number) => [rate] };
}
