"""RS+EPM (our reconstruction) of RecurSeed and EdgePredictMix, whose training code was not published."""
