// What `import … from 'cnn-spec'` gives.
export { implementations, type LayerName, type Layers } from '../src/layers.ts';
export type { Tensor } from '../src/tensor.ts';
export { judge, type JudgeOptions, type Tests } from './judge.ts';
