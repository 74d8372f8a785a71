# WSSS=rsepm: RS+EPM (our reconstruction), then the affinities of IRNet's edge branch.
CLASSIFIER      := rsepm
SCORES          := rsepm_scores
PROPAGATION     := rsepm_propagation
BACKBONE_OF     := cam
BACKBONE_OPTION := --model.init_args.network.init_args.classifier_weights
