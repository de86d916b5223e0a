package doctor

// versions compares this program, the providerd beside it and the daemon that answers.
func versions(f *Facts) []Finding {
	const subject = "versions"
	b := f.Beside
	switch {
	case f.Info != nil && f.Info.Version != f.Mine && b.Version == f.Mine:
		return one(subject, Warn, "the daemon is still "+f.Info.Version+", and "+f.Mine+" is installed", f.restart())
	case f.Info != nil && f.Info.Version != f.Mine:
		return one(subject, Warn, "the daemon is "+f.Info.Version+", and providerctl "+f.Mine+": what only one of them supports does not work", "install both from one release")
	case b.Problem != "":
		return one(subject, Skip, "the providerd beside providerctl is not asked for its version: "+b.Problem)
	case b.Version != "" && b.Version != f.Mine:
		return one(subject, Warn, "providerctl is "+f.Mine+", and the providerd beside it "+b.Version, "install both from one release")
	case f.Info != nil:
		return one(subject, OK, "daemon and providerctl are "+f.Mine)
	}
	return one(subject, OK, "providerctl is "+f.Mine)
}
