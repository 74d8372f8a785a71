# WSSS=seam: SEAM's equivariant maps, then PSA's AffinityNet.
CLASSIFIER      := seam
SCORES          := seam_scores
PROPAGATION     := seam_propagation
BACKBONE_OF     := seam
BACKBONE_OPTION := --model.init_args.affinity_net.init_args.classifier_weights
