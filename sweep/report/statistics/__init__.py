"""How far repeated random re-splits of the same images can carry a claim. Pure functions over arrays.

A repetition splits the same images anew into n1 training, some validation and n2 test images; all models of one are
tested on the same images. Pairs are (repetition, test image), in one order for all arrays of a call. What is estimated
is the expected metric of the learning procedure on new images of new patients, not that of the classifiers at hand.
What no function here can see: an effect of the pool of images that all repeats share through their training sets.
"""
