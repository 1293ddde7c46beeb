"""Teachers and students: trained models that say what others learn, of recordings with labels and without."""
