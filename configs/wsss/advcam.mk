# WSSS=advcam: photographs climb towards their classes on the network of WSSS=cam; then IRNet's affinities.
CLASSIFIER      := cam
SCORES          := advcam_scores
PROPAGATION     := irn_propagation
BACKBONE_OF     := cam
BACKBONE_OPTION := --model.init_args.network.init_args.classifier_weights
