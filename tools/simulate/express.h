/* Eyes that close, a mouth that opens and smiles: the photo's own pixels moved. */
#ifndef SIM_EXPRESS_H
#define SIM_EXPRESS_H

#include "simulate/head.h"

/* Draws the head's texture with this expression, to a hundredth; false when it has it already. */
bool sim_express(sim_head *head, double eyes, double mouth, double smile);
/* Draws dark rims around the eyes into the texture, whenever sim_express drew it. */
void sim_wear_glasses(sim_head *head);

#endif
