/** How many errors the inventory of each document counts: E0.1 to E0.13, E1.1 to E1.8, … */
export const errorsOf: Readonly<Record<string, number>> = { E0: 13, E1: 8, E2: 17, E3: 8, E4: 23 };

const STOPS = 'the program stops before it computes anything: ';
const PROSE = 'a claim in prose, of which no code is wrong: ';

/** Those of which the catalogue has no bug, and why. */
export const notComputable: Readonly<Record<string, string>> = {
  'E0.7': `${STOPS}a class that is used and not defined`,
  'E0.8': `${PROSE}the ratio of two numbers of parameters`,
  'E0.9': `${PROSE}an accuracy that is not reached`,
  'E0.12': `${PROSE}convolution is called invariant, and is equivariant`,
  'E1.3': `${PROSE}division by a constant is said to change the skewness`,
  'E1.7': 'cells were run in another order, and two files are missing: nothing that a function could do',
  'E2.14': `${STOPS}a name of an earlier part`,
  'E3.4': `${STOPS}names that are not imported`,
  'E3.5':
    'no test is made, and a switch is left in evaluation: here a mode is an argument, and nothing is left switched',
  'E3.7': `${PROSE}convolutional networks are said to have few parameters`,
  'E4.9': `${STOPS}an argument that is missing`,
  'E4.21': `${PROSE}what skip connections are a remedy for`,
};
