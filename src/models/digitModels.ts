import type { Model } from '../network.ts';
import { cnnWithBn } from './cnnWithBn.ts';
import { dense } from './dense.ts';
import { lenet5 } from './lenet5.ts';
import { mnistNet } from './mnistNet.ts';
import { page3 } from './page3.ts';
import { page3TwoConv } from './page3TwoConv.ts';
import { tanhAvg } from './tanhAvg.ts';

const all = [dense, page3, page3TwoConv, tanhAvg, lenet5(), lenet5({ original: true }), mnistNet, cnnWithBn];

/** The networks for digits of 28×28 pixels, by name. */
export const digitModels: Readonly<Record<string, Model>> = Object.fromEntries(all.map((model) => [model.name, model]));
